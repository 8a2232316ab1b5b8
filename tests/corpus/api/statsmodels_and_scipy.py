# python: 3.9
# context: statsmodels==0.12.2 scipy==1.9.3 numpy==1.22.4 pandas==1.3.5
# heals: scipy <1.8
import statsmodels.api as sm
print(sm.OLS([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]).fit().params.round(3).tolist())
